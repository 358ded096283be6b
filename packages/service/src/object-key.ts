/** No object has this key. */
export class ObjectNotFoundError extends Error {
  readonly key: string;

  constructor(key: string, options?: ErrorOptions) {
    super(`There is no object "${key}".`, options);
    this.name = 'ObjectNotFoundError';
    this.key = key;
  }
}

/** The key itself. @throws Error for one that could leave the store's folder. */
export function checkObjectKey(key: string): string {
  const segments = key.split('/');
  if (segments.every((segment) => /^[A-Za-z0-9._-]{1,200}$/.test(segment) && !/^\.+$/.test(segment))) return key;
  throw new Error(`"${key}" is no object key: wanted path segments of letters, digits, ".", "_" and "-".`);
}
