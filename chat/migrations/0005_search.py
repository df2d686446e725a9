from __future__ import annotations

from django.db import migrations, models

from chat import search_index, segments

ROWS = 1000


def install(apps, schema_editor):
    search_index.install(schema_editor.connection)


def uninstall(apps, schema_editor):
    search_index.uninstall(schema_editor.connection)


def cut(apps, schema_editor):
    """Cut the messages that there are: the index follows."""
    messages = apps.get_model("chat", "Message").objects.using(schema_editor.connection.alias)
    changed = []
    for message in messages.exclude(body="").only("pk", "body").iterator(chunk_size=ROWS):
        message.segmented = segments.index_text(message.body)
        if message.segmented:
            changed.append(message)
    for start in range(0, len(changed), ROWS):
        messages.bulk_update(changed[start : start + ROWS], ["segmented"], batch_size=100)


class Migration(migrations.Migration):
    dependencies = [("chat", "0004_turns")]

    operations = [
        migrations.AddField(
            model_name="message",
            name="mentioned",
            field=models.TextField(blank=True, default="", editable=False, verbose_name="mentioned"),
        ),
        migrations.AddField(
            model_name="message",
            name="segmented",
            field=models.TextField(blank=True, default="", editable=False, verbose_name="segmented"),
        ),
        migrations.RunPython(install, uninstall),
        migrations.RunPython(cut, migrations.RunPython.noop),
    ]
