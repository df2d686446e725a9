from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from channels_lts import status_page

urlpatterns = [
    path("status/", status_page.status, name="status"),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include("chat.urls")),
]
