-- What batches of recommendations and tunings have written, which goes with an erased user.
ALTER TYPE erasure_store ADD VALUE 'JOB_FILES';
