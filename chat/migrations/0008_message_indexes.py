from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


def drop_room_index(apps, schema_editor):
    """Drop the index by itself: altering the field would check the foreign key anew, or on SQLite copy the table."""
    connection = schema_editor.connection
    table = apps.get_model("chat", "Message")._meta.db_table
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, table)
    for name, found in constraints.items():
        if found["columns"] == ["room_id"] and found["index"] and not found["unique"]:
            schema_editor.execute(f"DROP INDEX {schema_editor.quote_name(name)}")


def create_room_index(apps, schema_editor):
    index = models.Index(fields=["room"], name="chat_message_room")
    schema_editor.add_index(apps.get_model("chat", "Message"), index)


class Migration(migrations.Migration):
    dependencies = [("chat", "0007_uploads")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(drop_room_index, create_room_index)],
            state_operations=[
                migrations.AlterField(
                    model_name="message",
                    name="room",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="messages",
                        to="chat.room",
                        verbose_name="room",
                    ),
                ),
            ],
        ),
        migrations.RemoveIndex(model_name="message", name="chat_message_image"),
        migrations.RemoveIndex(model_name="message", name="chat_message_thumbnail"),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["image"], name="chat_message_image", condition=Q(image__gt="")),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["thumbnail"], name="chat_message_thumbnail", condition=Q(thumbnail__gt="")),
        ),
    ]
