"""Images as bytes: what is accepted, what is taken out of them, how they shrink."""

from __future__ import annotations

import io
import struct
import zlib
from unittest import mock

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from channels_lts.exceptions import StreamError
from chat import images, limits, metadata
from tests.chat.base import image_bytes

SECRET = b"52.5200 N 13.4050 E"
FORMATS = ["PNG", "JPEG", "GIF", "WEBP"]


def accept(data: bytes) -> images.Picture:
    return images.accept(io.BytesIO(data), len(data))


def exif(orientation: int | None = None) -> Image.Exif:
    tags = Image.Exif()
    tags[0x010F] = SECRET.decode()
    if orientation is not None:
        tags[0x0112] = orientation
    tags.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    return tags


def reopened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_is_accepted_and_told_by_its_content(format):
    picture = accept(image_bytes(format, (30, 20)))
    assert (picture.width, picture.height) == (30, 20)
    assert picture.extension == images.FORMATS[format][0]
    assert reopened(picture.data).format == format


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "unsupported"),
        (b"hello", "unsupported"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unsupported"),
        (b"%PDF-1.4", "unsupported"),
        (image_bytes("BMP"), "unsupported"),
        (image_bytes("TIFF"), "unsupported"),
        (image_bytes("ICO", (16, 16)), "unsupported"),
        (b"RIFF\x00\x00\x00\x00WAVE", "unsupported"),
        (b"\x89PNG\r\n\x1a\n", "bad_field"),
        (b"\x89PNG\r\n\x1a\nrubbish and more of it", "bad_field"),
        (b"\xff\xd8\xff", "bad_field"),
        (b"\xff\xd8\xff\xe0\xff\xff", "bad_field"),
        (b"GIF89a", "bad_field"),
        (b"RIFF\x04\x00\x00\x00WEBP", "bad_field"),
        (image_bytes("PNG")[:20], "bad_field"),
        (image_bytes("JPEG")[:40], "bad_field"),
    ],
)
def test_what_is_no_image_is_refused(data, code):
    with pytest.raises(StreamError) as caught:
        accept(data)
    assert caught.value.code == code
    assert caught.value.reason


def test_too_many_bytes_are_refused_unread():
    upload = mock.Mock()
    with pytest.raises(StreamError) as caught:
        images.accept(upload, limits.IMAGE_BYTES + 1)
    assert caught.value.code == "too_large"
    assert "10 MiB" in caught.value.reason
    upload.read.assert_not_called()


def test_as_many_bytes_as_allowed_are_accepted():
    data = image_bytes("PNG")
    # Behind the end of a PNG anything may stand; it is not kept.
    assert accept(data + b"\0" * (limits.IMAGE_BYTES - len(data))).data == data


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(10_000, 5_001), (10_000, 9_500), (60_000, 60_000)])
def test_decompression_bomb_is_refused_before_it_is_decoded(width, height, recwarn):
    bomb = png_header(width, height)
    with mock.patch("PIL.ImageFile.ImageFile.load", side_effect=AssertionError("decoded")):
        with pytest.raises(StreamError) as caught:
            accept(bomb)
        assert caught.value.code == "too_large"
        with pytest.raises(images.TooManyPixels):
            images.thumbnail(bomb)
    # What Pillow would only warn of is an error here.
    assert not [warning for warning in recwarn if issubclass(warning.category, Image.DecompressionBombWarning)]


@pytest.mark.parametrize("format", FORMATS)
def test_only_the_header_is_read_when_an_image_is_accepted(format):
    data = image_bytes(format, exif=exif()) if format != "GIF" else image_bytes(format)
    with mock.patch("PIL.ImageFile.ImageFile.load", side_effect=AssertionError("decoded")):
        assert accept(data)


def test_as_many_pixels_as_allowed_are_accepted():
    assert accept(png_header(10_000, 5_000)).width == 10_000


def test_formats_that_pillow_knows_beside_ours_are_not_even_tried():
    with mock.patch("PIL.Image.open", side_effect=Image.open) as opened:
        accept(image_bytes())
    assert opened.call_args.kwargs["formats"] == FORMATS


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_metadata_is_not_kept_and_pixels_stay_as_they_are(format):
    options: dict = {"exif": exif()}
    if format == "PNG":
        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_text("Location", SECRET.decode())
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", SECRET.decode())
    if format == "JPEG":
        options["comment"] = SECRET
    if format == "WEBP":
        options["xmp"] = SECRET
        options["lossless"] = True
    data = image_bytes(format, (9, 7), **options)
    assert SECRET in data
    kept = accept(data).data
    assert SECRET not in kept
    assert not reopened(kept).getexif()
    assert reopened(kept).tobytes() == reopened(data).tobytes()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_photos_is_kept_without_the_rest(orientation):
    data = image_bytes("JPEG", (32, 16), exif=exif(orientation))
    picture = accept(data)
    assert (picture.width, picture.height) == ((16, 32) if orientation >= 5 else (32, 16))
    tags = reopened(picture.data).getexif()
    assert dict(tags) == ({} if orientation == 1 else {0x0112: orientation})
    assert not tags.get_ifd(0x8825)
    assert SECRET not in picture.data


@pytest.mark.parametrize("orientation", [0, 9, 70, 65535])
def test_orientation_that_does_not_exist_is_none(orientation):
    picture = accept(image_bytes("JPEG", (32, 16), exif=exif(orientation)))
    assert (picture.width, picture.height) == (32, 16)
    assert not reopened(picture.data).getexif()


def test_photo_with_a_second_picture_inside_is_a_photo():
    """Phones write such files, which Pillow calls MPO; the second picture has metadata of its own."""
    output = io.BytesIO()
    second = Image.new("RGB", (8, 8))
    second.encoderinfo = {"exif": exif()}
    Image.new("RGB", (8, 8)).save(output, "MPO", save_all=True, append_images=[second], exif=exif())
    data = output.getvalue()
    assert Image.open(io.BytesIO(data)).format == "MPO"
    picture = accept(data)
    assert picture.extension == "jpg"
    assert reopened(picture.data).format == "JPEG"
    assert SECRET not in picture.data


def test_film_behind_a_photo_is_cut_off():
    data = image_bytes("JPEG", (64, 64))
    assert accept(data + b"ftypmp42" + SECRET).data == accept(data).data


def test_colours_and_animation_are_kept():
    profile = b"profile " * 20
    for format in ("PNG", "JPEG", "WEBP"):
        data = image_bytes(format, icc_profile=profile, exif=exif())
        assert reopened(accept(data).data).info["icc_profile"] == profile
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    for format in ("GIF", "WEBP", "PNG"):
        output = io.BytesIO()
        frames[0].save(output, format, save_all=True, append_images=frames[1:], duration=100)
        assert Image.open(io.BytesIO(accept(output.getvalue()).data)).n_frames == 2


def test_photos_of_all_kinds_survive_stripping():
    picture = Image.effect_noise((200, 120), 80).convert("RGB")
    for options in ({"progressive": True}, {"optimize": True}, {"quality": 100}, {"restart_marker_rows": 1}):
        output = io.BytesIO()
        picture.save(output, "JPEG", exif=exif(3), **options)
        kept = accept(output.getvalue()).data
        assert reopened(kept).tobytes() == reopened(output.getvalue()).tobytes()
    output = io.BytesIO()
    picture.convert("CMYK").save(output, "JPEG", exif=exif())
    assert reopened(accept(output.getvalue()).data).tobytes() == reopened(output.getvalue()).tobytes()


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_stripping_rubbish_ends_in_one_kind_of_error(format):
    data = image_bytes(format, (40, 40), exif=exif())
    for end in range(0, len(data), 3):
        try:
            metadata.strip(data[:end], format)
        except metadata.Malformed:
            continue
    for place in range(2, len(data), 5):
        broken = data[:place] + b"\xff\xff\xff\xff" + data[place + 4 :]
        try:
            metadata.strip(broken, format)
        except metadata.Malformed:
            continue


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(("size", "small"), [((1000, 500), (480, 240)), ((10, 20), (10, 20)), ((3, 2000), (1, 480))])
def test_thumbnail_fits_and_is_never_larger_than_its_image(format, size, small):
    thumbnail = reopened(images.thumbnail(image_bytes(format, size)))
    assert (thumbnail.format, thumbnail.size) == ("WEBP", small)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_thumbnail_of_every_kind_of_pixel(mode):
    thumbnail = reopened(images.thumbnail(image_bytes("PNG", (600, 300), mode)))
    assert thumbnail.size == (480, 240)
    assert (thumbnail.mode == "RGBA") == (mode in ("LA", "RGBA"))


def test_thumbnail_of_print_colours():
    assert reopened(images.thumbnail(image_bytes("JPEG", (600, 300), "CMYK"))).mode == "RGB"


def test_thumbnail_stands_upright_and_carries_no_metadata():
    thumbnail = images.thumbnail(image_bytes("JPEG", (800, 400), exif=exif(6)))
    assert reopened(thumbnail).size == (240, 480)
    assert not reopened(thumbnail).getexif()
    assert SECRET not in thumbnail


@pytest.mark.parametrize("format", FORMATS)
def test_image_that_is_cut_short_is_undecodable(format):
    output = io.BytesIO()
    Image.effect_noise((300, 300), 80).convert("RGB").save(output, format)
    data = output.getvalue()
    if format in ("JPEG", "PNG"):
        assert accept(data[: len(data) // 2])
    with pytest.raises(images.Undecodable):
        images.thumbnail(data[: len(data) // 2])


def test_rubbish_in_the_pixels_is_undecodable_or_drawn_but_never_another_error():
    for format in FORMATS:
        data = bytearray(image_bytes(format, (64, 64)))
        for place in range(0, len(data), 7):
            broken = bytes(data[:place]) + b"\xa5" + bytes(data[place + 1 :])
            try:
                images.thumbnail(broken)
            except images.Undecodable:
                continue
