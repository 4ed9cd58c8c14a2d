"""What readers may see of names: the rules, pseudonyms, renaming, and a last look at the finished site."""
