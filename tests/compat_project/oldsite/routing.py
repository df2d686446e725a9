from channels import include

channel_routing = [include("liveblog.routing.channel_routing")]
