import { missing, requires } from '../requires.ts';

/**
 * True when a broker of our own can be started, and read with kcat. Where KAFKA_BROKERS names one that runs already, this
 * is false: that one is not ours to stop, and has not the listeners that such tests need.
 */
export function requiresOwnKafka(): boolean {
  if (process.env['KAFKA_BROKERS'] !== undefined) {
    const what = 'a Kafka broker of our own (KAFKA_BROKERS names another): stopping brokers, TLS, SASL';
    missing({ what, remedy: 'leave KAFKA_BROKERS unset', weight: 'offered' });
    return false;
  }
  // each is asked for, so that all that is missing is listed
  return [requires('java'), requires('mvn'), requires('openssl'), requires('kcat')].every(Boolean);
}

/** True when there is any broker for a test, the one that KAFKA_BROKERS names or one of our own, and kcat to read it. */
export function requiresKafka(): boolean {
  return process.env['KAFKA_BROKERS'] === undefined ? requiresOwnKafka() : requires('kcat');
}
