import { fileURLToPath } from 'node:url';

/** The file whose exports are the workflows; the SDK bundles it with what it imports. */
export const WORKFLOWS_PATH = fileURLToPath(new URL('./workflows/all-workflows.ts', import.meta.url));
