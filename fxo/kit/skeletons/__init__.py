"""The first files of a plugin of each kind, called `..._acme`; `fxo plugins new` copies them under the new plugin's name."""
