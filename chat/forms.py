from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import UserCreationForm
from django.utils.translation import gettext_lazy as _

from chat import limits
from chat.models import Room
from chat.text import clean_name


class NameField(forms.CharField):
    """The name of a room or a guest: one line in which something is visible."""

    def to_python(self, value: Any) -> str:
        return clean_name(super().to_python(value) or "")


class NewRoomForm(forms.ModelForm):
    name = NameField(label=_("Name"), max_length=limits.ROOM_NAME)
    topic = NameField(label=_("Topic"), max_length=limits.TOPIC, required=False)

    class Meta:
        model = Room
        fields = ["name", "topic", "private"]
        labels = {"private": _("Private")}


class RoomForm(NewRoomForm):
    """All that can be changed of a room."""

    slow_seconds = forms.IntegerField(label=_("Slow mode"), min_value=0, max_value=limits.SLOW)

    class Meta(NewRoomForm.Meta):
        fields = [*NewRoomForm.Meta.fields, "slow_seconds"]


class GuestForm(forms.Form):
    name = NameField(
        label=_("Your name"), max_length=limits.GUEST_NAME, widget=forms.TextInput(attrs={"autocomplete": "nickname"})
    )

    def __init__(self, request: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)

    def clean_name(self) -> str:
        name = self.cleaned_data["name"]
        if get_user_model().objects.filter(username__iexact=name).exists():
            raise forms.ValidationError(_("Somebody with an account has this name."), code="taken")
        return name


class SignupForm(UserCreationForm):
    class Meta(UserCreationForm.Meta):
        model = get_user_model()

    def __init__(self, request: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)

    def get_user(self) -> Any:
        """Return the new user: what ``LoginView`` signs in."""
        user = self.save()
        # The one backend that signs people in with a password; login() wants to be told where there are several.
        user.backend = "django.contrib.auth.backends.ModelBackend"
        return user
