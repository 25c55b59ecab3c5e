import type { ClientProblem } from './client-problem.ts';
import type { KafkaSettings } from './settings.ts';

/** What is wrong with how the schema registry is to be reached. A URL with a password in it is not shown. */
export function registryProblems({ flows }: KafkaSettings): ClientProblem[] {
  if (flows === null) return [];
  const { encoding, registry } = flows;
  const { username, passwordFile, passwordEnv } = registry;
  const url = URL.parse(registry.url);
  if (url !== null && (url.username !== '' || url.password !== '')) {
    const text = 'carries a user or a password, which would show wherever settings are printed';
    return [problem('url', url.host, text, 'flows.registry.username and passwordFile')];
  }
  if (encoding !== 'avro') return [];
  const found: ClientProblem[] = [];
  if (registry.url === '')
    found.push(problem('url', '', 'is empty, and avro needs a schema registry', 'its URL'));
  else if (url === null || !['http:', 'https:'].includes(url.protocol))
    found.push(
      problem('url', registry.url, `is ${registry.url}, which is no URL of http or https`, 'its URL'),
    );
  const hasPassword = passwordFile !== '' || passwordEnv !== '';
  if (username === '' && hasPassword)
    found.push(
      problem('username', '', 'is empty, and a password is given: nobody would be told it', 'a user'),
    );
  return found;
}

function problem(name: string, found: string, what: string, expected: string): ClientProblem {
  const setting = `flows.registry.${name}`;
  return { setting, found, text: `${setting} ${what}`, expected };
}
