// What app/consumers.py of channels1 does, with Socket.IO and its Redis adapter: node server.js PORT REDIS_PORT
const { createServer } = require("http");
const { createClient } = require("redis");
const { Server } = require("socket.io");
const { createAdapter } = require("@socket.io/redis-adapter");

async function main(port, redisPort) {
  const publisher = createClient({ url: `redis://127.0.0.1:${redisPort}` });
  const subscriber = publisher.duplicate();
  await Promise.all([publisher.connect(), subscriber.connect()]);

  const http = createServer((request, response) => response.end("hello"));
  const io = new Server(http, { transports: ["websocket"], serveClient: false, adapter: createAdapter(publisher, subscriber) });
  io.on("connection", (socket) => {
    // The same as /echo, /member, /publish and /burst elsewhere.
    const role = socket.handshake.query.role;
    if (role === "member") {
      socket.join("bench");
    } else if (role === "publish") {
      socket.on("p", (text) => io.to("bench").emit("m", text));
    } else if (role === "burst") {
      socket.on("p", (text) => {
        const count = parseInt(text.slice(0, 8), 16);
        for (let number = 0; number < count; number++) {
          io.to("bench").emit("m", number.toString(16).padStart(8, "0") + text.slice(8));
        }
      });
    } else {
      socket.on("m", (text) => socket.emit("m", text));
    }
  });
  http.listen({ port, host: "127.0.0.1", backlog: 4096 });
}

main(Number(process.argv[2]), Number(process.argv[3])).catch((error) => {
  console.error(error.message);
  process.exit(1);
});
