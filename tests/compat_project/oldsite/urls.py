from django.urls import path
from liveblog import views

urlpatterns = [
    path("", views.index),
    path("later/", views.later),
    path("upload/", views.upload),
]
