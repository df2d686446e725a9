from channels import Channel, Group
from channels.auth import channel_session_user, channel_session_user_from_http
from channels.generic.websockets import WebsocketDemultiplexer
from channels.handler import AsgiHandler
from django.http import HttpResponse

from liveblog.models import Entry, EntryBinding


@channel_session_user_from_http
def connect(message, name):
    message.channel_session["name"] = name
    Group("room-" + name).add(message.reply_channel)
    message.reply_channel.send({"accept": True})


@channel_session_user
def receive(message):
    who = message.user.username or "somebody"
    text = "{}: {}".format(who, message.content["text"])
    Group("room-" + message.channel_session["name"]).send({"text": text})


@channel_session_user
def disconnect(message):
    Group("room-" + message.channel_session["name"]).discard(message.reply_channel)


class Demultiplexer(WebsocketDemultiplexer):
    consumers = {"entries": EntryBinding.consumer}

    def connection_groups(self):
        return ["entries"]


def answer(message):
    for chunk in AsgiHandler.encode_response(HttpResponse("answered later")):
        message.reply_channel.send(chunk)


def work(message):
    Entry.objects.create(text=message.content["text"])
    if message.content.get("again"):
        Channel("asgi.delay").send({"channel": "work", "content": {"text": "delayed"}, "delay": 1})
