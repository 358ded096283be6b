import { z } from 'zod';

const Environment = z.object({
  NODE_ENV: z.string().default('development'),
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(4000),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  PUBLIC_API_URL: z.url({ protocol: /^https?$/ }).default('http://127.0.0.1:4001'),
  API_URL: z.url({ protocol: /^https?$/ }).optional(),
});

export interface WebEnv {
  readonly host: string;
  readonly port: number;
  readonly logLevel: z.infer<typeof Environment>['LOG_LEVEL'];
  /** Origin of the gateway as browsers see it, such as `https://api.example.com`. */
  readonly apiOrigin: string;
  /** Origin of the gateway as this server sees it. */
  readonly apiUrl: string;
}

/**
 * The process's configuration, read when asked for, so that a build needs none of it.
 * @throws Error naming every wrong variable at once.
 */
export function readEnv(source: NodeJS.ProcessEnv = process.env): WebEnv {
  const parsed = Environment.safeParse(source);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new Error(`Wrong configuration:\n  ${problems.join('\n  ')}`);
  }
  const { HOST, PORT, LOG_LEVEL, PUBLIC_API_URL, API_URL = PUBLIC_API_URL } = parsed.data;
  const [apiOrigin, apiUrl] = [new URL(PUBLIC_API_URL).origin, new URL(API_URL).origin];
  return Object.freeze({ host: HOST, port: PORT, logLevel: LOG_LEVEL, apiOrigin, apiUrl });
}

/** Makes React and Next.js load their production builds, as `next start` does; call it before Next.js is imported. */
export function chooseProductionBuilds(): void {
  Object.assign(process.env, { NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' });
}
