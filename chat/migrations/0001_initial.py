import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Room",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                ("slug", models.CharField(editable=False, max_length=100, unique=True, verbose_name="slug")),
                ("topic", models.CharField(blank=True, max_length=200, verbose_name="topic")),
                (
                    "private",
                    models.BooleanField(default=False, help_text="Only members see it.", verbose_name="private"),
                ),
                ("last_seq", models.BigIntegerField(default=0, editable=False, verbose_name="last number")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="created at"),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="created by",
                    ),
                ),
            ],
            options={
                "verbose_name": "room",
                "verbose_name_plural": "rooms",
            },
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("seq", models.BigIntegerField(verbose_name="number")),
                ("uid", models.CharField(max_length=64, verbose_name="client's id")),
                ("author_key", models.CharField(max_length=40, verbose_name="author's key")),
                ("author_name", models.CharField(max_length=150, verbose_name="author's name")),
                ("body", models.TextField(blank=True, verbose_name="text")),
                ("image", models.FileField(blank=True, max_length=120, upload_to="", verbose_name="image")),
                ("thumbnail", models.FileField(blank=True, max_length=120, upload_to="", verbose_name="thumbnail")),
                ("width", models.PositiveIntegerField(blank=True, null=True, verbose_name="width")),
                ("height", models.PositiveIntegerField(blank=True, null=True, verbose_name="height")),
                ("removed", models.BooleanField(default=False, verbose_name="removed")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="created at")),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="author",
                    ),
                ),
                (
                    "room",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="messages",
                        to="chat.Room",
                        verbose_name="room",
                    ),
                ),
            ],
            options={
                "verbose_name": "message",
                "verbose_name_plural": "messages",
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "role",
                    models.CharField(
                        choices=[("owner", "owner"), ("moderator", "moderator"), ("member", "member")],
                        default="member",
                        max_length=10,
                        verbose_name="role",
                    ),
                ),
                ("last_read_seq", models.BigIntegerField(default=0, verbose_name="last number read")),
                (
                    "room",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to="chat.Room",
                        verbose_name="room",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="chat_memberships",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "membership",
                "verbose_name_plural": "memberships",
            },
        ),
        migrations.CreateModel(
            name="Client",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("channel_name", models.CharField(max_length=100, verbose_name="channel")),
                ("key", models.CharField(max_length=40, verbose_name="key")),
                ("name", models.CharField(max_length=150, verbose_name="name")),
                ("seen_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="seen at")),
                (
                    "present",
                    models.BooleanField(
                        default=True, help_text="The room was told that they are here.", verbose_name="present"
                    ),
                ),
                (
                    "plain",
                    models.BooleanField(
                        default=False, help_text="A socket of /ws/chat/, which has no presence.", verbose_name="plain"
                    ),
                ),
                (
                    "room",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="clients",
                        to="chat.Room",
                        verbose_name="room",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "client",
                "verbose_name_plural": "clients",
            },
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["image"], name="chat_message_image"),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["thumbnail"], name="chat_message_thumbnail"),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.UniqueConstraint(fields=("room", "seq"), name="chat_message_number"),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.UniqueConstraint(fields=("room", "author_key", "uid"), name="chat_message_uid"),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.UniqueConstraint(fields=("room", "user"), name="chat_membership_unique"),
        ),
        migrations.AddIndex(
            model_name="client",
            index=models.Index(fields=["room", "seen_at"], name="chat_client_seen"),
        ),
        migrations.AddIndex(
            model_name="client",
            index=models.Index(fields=["room", "key"], name="chat_client_key"),
        ),
        migrations.AddConstraint(
            model_name="client",
            constraint=models.UniqueConstraint(fields=("channel_name", "room"), name="chat_client_unique"),
        ),
    ]
