"""The settings by what they concern; app.core.config puts them together and reads them."""
