// The page that stands in for one that could not be fetched.

const AGAIN_MS = 5_000;

addEventListener("online", () => location.reload());

// The network may be there and the server not. HEAD: the page itself is fetched once it can be.
setInterval(async () => {
  try {
    const { status } = await fetch(location.href, { method: "HEAD" });
    if (status < 500) {
      location.reload();
    }
  } catch (error) {
    console.info("still no connection:", error.message);
  }
}, AGAIN_MS);
