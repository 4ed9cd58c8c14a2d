"""Mail: a message with text, HTML and a picture, sent by this machine's sendmail or by a server of [mail]."""
