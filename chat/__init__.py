# Django finds chat.apps.ChatConfig by itself since 3.2; Django 2.2 is told here.
default_app_config = "chat.apps.ChatConfig"
