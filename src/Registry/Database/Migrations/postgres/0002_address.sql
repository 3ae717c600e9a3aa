-- Where clients reach the registry, as the API knows it, for the workers: it stands in the config.json of the indexes.
ALTER TABLE registry ADD COLUMN public_url TEXT;
