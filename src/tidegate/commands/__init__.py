"""Commands whose work is more than a few lines; `cli` registers them. Nobody else imports them."""
