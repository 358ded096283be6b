import { type DestinationStream, type Logger, pino, stdSerializers } from 'pino';

export type { Logger } from 'pino';

const SECRET_HEADERS = ['authorization', 'cookie', 'x-api-key', 'x-kindred-token'];

/** JSON lines on stdout (or `destination`); errors with their causes; credentials of request headers left out. */
export function createLogger(name: string, level: string, destination?: DestinationStream): Logger {
  const options = {
    name,
    level,
    serializers: { err: stdSerializers.errWithCause },
    redact: {
      paths: SECRET_HEADERS.flatMap((header) => [`headers["${header}"]`, `req.headers["${header}"]`]),
      remove: true,
    },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}
