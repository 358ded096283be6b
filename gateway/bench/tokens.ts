import { newId } from '@kindred/domain/ids';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

/** Access tokens, all the same or each of an account and tenant of its own, and the public key that they verify with. */
export async function createBenchTokens({ count, areOne }: { count: number; areOne: boolean }) {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA');
  const sign = () =>
    new SignJWT({ tenant: newId('Tenant'), role: 'MEMBER' })
      .setProtectedHeader({ alg: 'EdDSA', kid: 'bench' })
      .setIssuer('kindred')
      .setAudience('kindred-api')
      .setSubject(newId('Account'))
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(privateKey);
  const one = await sign();
  const others = areOne ? [] : await Promise.all(Array.from({ length: count }, sign));
  const tokens = areOne ? Array.from({ length: count }, () => one) : others;
  return { tokens, publicKey: { ...(await exportJWK(publicKey)), kid: 'bench', alg: 'EdDSA', use: 'sig' } };
}
