import { randomBytes } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';

// argon2id (the package's default) at OWASP's first recommendation: 19 MiB, two passes, one lane.
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

export interface Passwords {
  hash(password: string): Promise<string>;
  /** Whether the password fits. Takes as long without a hash (an unknown address) as with one. */
  verify(passwordHash: string | null, password: string): Promise<boolean>;
}

/** Password hashing on the thread pool, so that the event loop never waits for it. */
export async function createPasswords(): Promise<Passwords> {
  const decoyHash = await hash(randomBytes(16), COST);
  return {
    hash: (password) => hash(password.normalize('NFKC'), COST),
    verify: async (passwordHash, password) => {
      const fits = await verify(passwordHash ?? decoyHash, password.normalize('NFKC'));
      return passwordHash !== null && fits;
    },
  };
}
