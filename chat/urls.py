from __future__ import annotations

from django.urls import path
from django.views.i18n import JavaScriptCatalog

from chat.views import accounts, api, hooks, installed, invitations, media, pages, tokens, uploads

urlpatterns = [
    path("", pages.home, name="home"),
    path("accounts/signup/", accounts.SignUpView.as_view(), name="signup"),
    path("accounts/login/", accounts.SignInView.as_view(), name="login"),
    path("accounts/logout/", accounts.sign_out, name="logout"),
    path("guest/", accounts.GuestView.as_view(), name="guest"),
    path("rooms/new/", pages.room_new, name="room-new"),
    path("rooms/<str:slug>/", pages.room, name="room"),
    path("rooms/<str:slug>/messages/", api.room_messages, name="room-messages"),
    path("rooms/<str:slug>/images/", api.room_images, name="room-images"),
    path("rooms/<str:slug>/uploads/", uploads.room_uploads, name="room-uploads"),
    path("rooms/<str:slug>/uploads/<str:token>/", uploads.room_upload, name="room-upload"),
    path("rooms/<str:slug>/members/", api.room_members, name="room-members"),
    path("rooms/<str:slug>/read/", api.room_read, name="room-read"),
    path("invitations/<str:token>/", invitations.invitation, name="invitation"),
    path("accounts/tokens/", tokens.token_list, name="tokens"),
    path("accounts/tokens/<int:pk>/revoke/", tokens.token_revoke, name="token-revoke"),
    path("hooks/<str:secret>/", hooks.hook, name="hook"),
    path("api/rooms/", api.room_list, name="api-rooms"),
    path("api/rooms/<str:slug>/messages/", api.room_messages, name="api-messages"),
    path("api/rooms/<str:slug>/<str:name>/", api.room_action, name="api-room-action"),
    path("api/<str:name>/", api.action, name="api-action"),
    path("media/<path:path>", media.media, name="media"),
    path("manifest.webmanifest", installed.manifest, name="manifest"),
    path("sw.js", installed.service_worker, name="service-worker"),
    path("offline/<str:language>/", installed.offline, name="offline"),
    path("jsi18n/", JavaScriptCatalog.as_view(packages=["chat"]), name="jsi18n"),
]
