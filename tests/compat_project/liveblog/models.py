from channels.binding.websockets import WebsocketBinding
from django.db import models


class Entry(models.Model):
    id = models.BigAutoField(primary_key=True)
    text = models.CharField(max_length=100)

    def __str__(self):
        return self.text


class EntryBinding(WebsocketBinding):
    model = Entry
    stream = "entries"
    fields = ["text"]

    @classmethod
    def group_names(cls, instance):
        return ["entries"]

    def has_permission(self, user, action, pk):
        return True
