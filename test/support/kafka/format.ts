import { createHash, randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kafkaJars } from './jars.ts';
import { runJava } from './java.ts';

const CHECKPOINT = 'bootstrap.checkpoint';

/**
 * Makes `folder`/data what Kafka's StorageTool makes of `folder`/server.properties, with a SCRAM password for `user`.
 * The tool runs once for each user: its checkpoint, which says nothing of cluster and node, is kept beside the jars.
 */
export async function formatFolder(
  folder: string,
  place: { readonly nodeId: number; readonly clusterId: string },
  user: { readonly name: string; readonly password: string },
): Promise<void> {
  const data = join(folder, 'data');
  const who = createHash('sha256').update(`${user.name}:${user.password}`).digest('hex').slice(0, 12);
  const kept = `${await kafkaJars()}.${who}.checkpoint`;
  if (!existsSync(kept)) {
    const scram = [256, 512].flatMap((bits) => [
      '--add-scram',
      `SCRAM-SHA-${bits}=[name=${user.name},password=${user.password}]`,
    ]);
    await runJava({
      mainClass: 'kafka.tools.StorageTool',
      args: ['format', '-t', place.clusterId, '-c', join(folder, 'server.properties'), ...scram],
      heapMb: 128,
      logFile: join(folder, 'format.log'),
    });
    const own = `${kept}.${process.pid}`;
    copyFileSync(join(data, CHECKPOINT), own);
    renameSync(own, kept);
    return;
  }
  mkdirSync(data);
  copyFileSync(kept, join(data, CHECKPOINT));
  const properties = {
    version: 1,
    'cluster.id': place.clusterId,
    'node.id': place.nodeId,
    'directory.id': newId(),
  };
  const text = Object.entries(properties).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(join(data, 'meta.properties'), text.join(''));
}

/** An id as Kafka has them: 16 bytes in base64 for URLs. */
export function newId(): string {
  // Kafka's own never begin with '-': a command would take it for an option
  for (;;) {
    const id = randomBytes(16).toString('base64url');
    if (!id.startsWith('-')) return id;
  }
}
