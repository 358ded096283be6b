-- Files that name an erased user and that were uploaded but not imported.
ALTER TYPE erasure_store ADD VALUE 'UPLOAD_FILES';
