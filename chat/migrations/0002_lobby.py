from django.db import migrations


def make_lobby(apps, schema_editor):
    """A fresh install has a room to talk in; one that has rooms already is left as it is."""
    Room = apps.get_model("chat", "Room")
    if not Room.objects.exists():
        Room.objects.create(name="Lobby", slug="lobby", topic="Say hello.")


class Migration(migrations.Migration):
    dependencies = [("chat", "0001_initial")]

    # On the way back it stays: people have talked in it.
    operations = [migrations.RunPython(make_lobby, migrations.RunPython.noop)]
