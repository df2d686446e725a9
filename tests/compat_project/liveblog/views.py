from channels import Channel
from channels.exceptions import ResponseLater
from django.http import HttpResponse


def index(request):
    return HttpResponse("hello")


def later(request):
    Channel("answer").send({"reply_channel": request.reply_channel.name}, immediately=True)
    raise ResponseLater


def upload(request):
    return HttpResponse(request.FILES["file"].read().upper())
