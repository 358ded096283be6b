import { parseEnv, SECRET } from '@kindred/service/env';
import { z } from 'zod';

const schema = z
  .object({
    API_KEY_PEPPER: SECRET,
  })
  .transform((values) => ({ apiKeyPepper: values.API_KEY_PEPPER }));

/** What the worker of the queue `data` is told besides what every worker is: what webhooks' secrets are sealed under. */
export const dataEnv = parseEnv(schema, process.env);
