import { exportJWK, generateKeyPair } from 'jose';

// Prints a fresh value for SESSION_SIGNING_KEY.
const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
const jwk = await exportJWK(privateKey);
process.stdout.write(`${Buffer.from(JSON.stringify(jwk)).toString('base64')}\n`);
