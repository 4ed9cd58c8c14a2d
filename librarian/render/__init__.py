"""Tools that turn values into bytes: pictures, JSON, HTML. What stands in them is the subjects' to say."""
