from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("chat", "0005_search")]

    operations = [
        migrations.AddField(
            model_name="room",
            name="presence",
            field=models.BigIntegerField(default=0, editable=False, verbose_name="comings and goings"),
        ),
    ]
