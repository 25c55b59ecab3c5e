import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerCertificate } from './properties.ts';

/** PEM files of one authority, one server (127.0.0.1, localhost) and one client. */
export interface Certificates {
  readonly caFile: string;
  readonly clientCertFile: string;
  readonly clientKeyFile: string;
  /** The same key, encrypted with `passphrase`. */
  readonly clientEncryptedKeyFile: string;
  readonly passphrase: string;
  /** An authority that signed none of them. */
  readonly otherCaFile: string;
  readonly server: ServerCertificate;
}

const PASSPHRASE = 'a passphrase of the tests';

/** Makes them with openssl in `folder`. */
export function makeCertificates(folder: string): Certificates {
  const at = (name: string): string => join(folder, name);
  authority(at('ca'), 'authority of the tests');
  authority(at('other-ca'), 'another authority');
  const names = 'subjectAltName=IP:127.0.0.1,DNS:localhost';
  signed(at('server'), at('ca'), 'broker', `${names}\nextendedKeyUsage=serverAuth,clientAuth\n`);
  signed(at('client'), at('ca'), 'client', 'extendedKeyUsage=clientAuth\n');
  const encrypted = at('client-encrypted.key');
  openssl('pkcs8', '-topk8', '-in', at('client.key'), '-out', encrypted, '-passout', `pass:${PASSPHRASE}`);
  const keyStoreFile = at('server-keystore.pem');
  const parts = ['server.key', 'server.pem', 'ca.pem'].map((name) => readFileSync(at(name), 'utf8'));
  writeFileSync(keyStoreFile, parts.join(''));
  return {
    caFile: at('ca.pem'),
    clientCertFile: at('client.pem'),
    clientKeyFile: at('client.key'),
    clientEncryptedKeyFile: encrypted,
    passphrase: PASSPHRASE,
    otherCaFile: at('other-ca.pem'),
    server: { keyStoreFile, caFile: at('ca.pem') },
  };
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

function authority(path: string, name: string): void {
  const files = ['-keyout', `${path}.key`, '-out', `${path}.pem`];
  const uses = ['-addext', 'keyUsage=critical,keyCertSign,cRLSign'];
  openssl('req', '-x509', ...newKey, ...files, '-subj', `/CN=${name}`, '-days', '2', ...uses);
}

function signed(path: string, signer: string, name: string, extensions: string): void {
  openssl('req', ...newKey, '-keyout', `${path}.key`, '-out', `${path}.csr`, '-subj', `/CN=${name}`);
  writeFileSync(`${path}.extensions`, extensions);
  const by = ['-CA', `${signer}.pem`, '-CAkey', `${signer}.key`, '-CAcreateserial'];
  const result = ['-out', `${path}.pem`, '-days', '2', '-extfile', `${path}.extensions`];
  openssl('x509', '-req', '-in', `${path}.csr`, ...by, ...result);
}

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}
