import { endianness } from 'node:os';
import { assert } from '../wire/assert.ts';
import { unsupported } from './library.ts';

/** Memory whose address a call takes, or the address itself. */
export type Pointer = Uint8Array | bigint | null;

/** A pointer that C returned; null is NULL. */
type Handle = bigint | null;

/** A function that may also be called on a thread of the pool, to wait there. */
interface Waiting<Arguments extends unknown[], Result> {
  (...given: Arguments): Result;
  async: (...given: [...Arguments, (thrown: Error | null, result: Result) => void]) => void;
}

/** The functions of librdkafka that are used, with their arguments as `librdkafka/rdkafka.h` has them, without their prefix. */
export interface RdKafka {
  /** Address of memory; it does not keep the memory. */
  address: (memory: Uint8Array) => bigint;
  /** The C library's: copies memory of C into ours. */
  memcpy: (target: Pointer, from: Pointer, bytes: number) => unknown;
  /** The C library's: writes two descriptors, the end to read from first. */
  pipe2: (descriptors: Pointer, flags: number) => number;
  close: (descriptor: number) => number;
  errno: () => number;
  /** A string of C. */
  text: (at: bigint) => string;
  version_str: () => string;
  err2str: (error: number) => string;
  err2name: (error: number) => string;
  conf_new: () => bigint;
  conf_destroy: (conf: Pointer) => void;
  conf_set: (conf: Pointer, name: string, value: string, why: Pointer, bytes: number) => number;
  conf_get: (conf: Pointer, name: string, value: Pointer, bytes: Pointer) => number;
  conf_set_events: (conf: Pointer, events: number) => void;
  new: (type: number, conf: Pointer, why: Pointer, bytes: number) => Handle;
  destroy: Waiting<[Pointer], void>;
  set_log_queue: (producer: Pointer, queue: Pointer) => number;
  queue_get_main: (producer: Pointer) => bigint;
  queue_destroy: (queue: Pointer) => void;
  queue_io_event_enable: (queue: Pointer, descriptor: number, payload: Pointer, bytes: number) => void;
  queue_poll: (queue: Pointer, timeoutMs: number) => Handle;
  event_type: (event: Pointer) => number;
  event_destroy: (event: Pointer) => void;
  event_error: (event: Pointer) => number;
  event_error_string: (event: Pointer) => string | null;
  event_opaque: (event: Pointer) => Handle;
  event_CreateTopics_result: (event: Pointer) => Handle;
  event_DescribeConfigs_result: (event: Pointer) => Handle;
  event_message_count: (event: Pointer) => number;
  event_message_array: (event: Pointer, messages: Pointer, count: number) => number;
  event_log: (event: Pointer, facility: Pointer, text: Pointer, level: Pointer) => number;
  topic_new: (producer: Pointer, name: string, conf: Pointer) => Handle;
  topic_destroy: (topic: Pointer) => void;
  produceva: (producer: Pointer, table: Pointer, count: number) => Handle;
  /** Lists of headers and addresses are numbers here: they are too many for a bigint each. */
  headers_new: (count: number) => number;
  headers_copy: (list: number) => number;
  headers_destroy: (list: number) => void;
  header_add: (list: number, name: number, nameBytes: number, value: number, valueBytes: number) => number;
  error_code: (error: Pointer) => number;
  error_destroy: (error: Pointer) => void;
  purge: (producer: Pointer, flags: number) => number;
  fatal_error: (producer: Pointer, why: Pointer, bytes: number) => number;
  metadata: Waiting<[Pointer, number, Pointer, Pointer, number], number>;
  metadata_destroy: (metadata: Pointer) => void;
  oauthbearer_set_token: (
    producer: Pointer,
    token: string,
    expiresAtMs: number,
    principal: string,
    extensions: Pointer,
    count: number,
    why: Pointer,
    bytes: number,
  ) => number;
  oauthbearer_set_token_failure: (producer: Pointer, why: string) => number;
  AdminOptions_new: (producer: Pointer, operation: number) => bigint;
  AdminOptions_destroy: (options: Pointer) => void;
  AdminOptions_set_request_timeout: (options: Pointer, ms: number, why: Pointer, bytes: number) => number;
  AdminOptions_set_opaque: (options: Pointer, opaque: bigint) => void;
  NewTopic_new: (
    name: string,
    partitions: number,
    replication: number,
    why: Pointer,
    bytes: number,
  ) => Handle;
  NewTopic_destroy: (topic: Pointer) => void;
  CreateTopics: (producer: Pointer, topics: Pointer, count: number, options: Pointer, queue: Pointer) => void;
  CreateTopics_result_topics: (result: Pointer, count: Pointer) => Handle;
  topic_result_error: (result: Pointer) => number;
  topic_result_error_string: (result: Pointer) => string | null;
  ConfigResource_new: (type: number, name: string) => bigint;
  ConfigResource_destroy: (resource: Pointer) => void;
  DescribeConfigs: (
    producer: Pointer,
    resources: Pointer,
    count: number,
    options: Pointer,
    queue: Pointer,
  ) => void;
  DescribeConfigs_result_resources: (result: Pointer, count: Pointer) => Handle;
  ConfigResource_error: (resource: Pointer) => number;
  ConfigResource_configs: (resource: Pointer, count: Pointer) => Handle;
  ConfigEntry_name: (entry: Pointer) => string;
  ConfigEntry_value: (entry: Pointer) => string | null;
}

/** What is no function of librdkafka. */
type Ours = 'address' | 'memcpy' | 'pipe2' | 'close' | 'errno' | 'text';

/** C declarations, by the names above: each function's own begins with `rd_kafka_`. */
const declarations: Readonly<Record<Exclude<keyof RdKafka, Ours>, string>> = {
  version_str: 'const char* rd_kafka_version_str()',
  err2str: 'const char* rd_kafka_err2str(int)',
  err2name: 'const char* rd_kafka_err2name(int)',
  conf_new: 'void* rd_kafka_conf_new()',
  conf_destroy: 'void rd_kafka_conf_destroy(void*)',
  conf_set: 'int rd_kafka_conf_set(void*, const char*, const char*, void*, size_t)',
  conf_get: 'int rd_kafka_conf_get(void*, const char*, void*, void*)',
  conf_set_events: 'void rd_kafka_conf_set_events(void*, int)',
  new: 'void* rd_kafka_new(int, void*, void*, size_t)',
  destroy: 'void rd_kafka_destroy(void*)',
  set_log_queue: 'int rd_kafka_set_log_queue(void*, void*)',
  queue_get_main: 'void* rd_kafka_queue_get_main(void*)',
  queue_destroy: 'void rd_kafka_queue_destroy(void*)',
  queue_io_event_enable: 'void rd_kafka_queue_io_event_enable(void*, int, void*, size_t)',
  queue_poll: 'void* rd_kafka_queue_poll(void*, int)',
  event_type: 'int rd_kafka_event_type(void*)',
  event_destroy: 'void rd_kafka_event_destroy(void*)',
  event_error: 'int rd_kafka_event_error(void*)',
  event_error_string: 'const char* rd_kafka_event_error_string(void*)',
  event_opaque: 'void* rd_kafka_event_opaque(void*)',
  event_CreateTopics_result: 'void* rd_kafka_event_CreateTopics_result(void*)',
  event_DescribeConfigs_result: 'void* rd_kafka_event_DescribeConfigs_result(void*)',
  event_message_count: 'size_t rd_kafka_event_message_count(void*)',
  event_message_array: 'size_t rd_kafka_event_message_array(void*, void*, size_t)',
  event_log: 'int rd_kafka_event_log(void*, void*, void*, void*)',
  topic_new: 'void* rd_kafka_topic_new(void*, const char*, void*)',
  topic_destroy: 'void rd_kafka_topic_destroy(void*)',
  produceva: 'void* rd_kafka_produceva(void*, void*, size_t)',
  headers_new: 'uintptr_t rd_kafka_headers_new(size_t)',
  headers_copy: 'uintptr_t rd_kafka_headers_copy(uintptr_t)',
  headers_destroy: 'void rd_kafka_headers_destroy(uintptr_t)',
  header_add: 'int rd_kafka_header_add(uintptr_t, uintptr_t, intptr_t, uintptr_t, intptr_t)',
  error_code: 'int rd_kafka_error_code(void*)',
  error_destroy: 'void rd_kafka_error_destroy(void*)',
  purge: 'int rd_kafka_purge(void*, int)',
  fatal_error: 'int rd_kafka_fatal_error(void*, void*, size_t)',
  metadata: 'int rd_kafka_metadata(void*, int, void*, void*, int)',
  metadata_destroy: 'void rd_kafka_metadata_destroy(void*)',
  oauthbearer_set_token:
    'int rd_kafka_oauthbearer_set_token(void*, const char*, int64_t, const char*, void*, size_t, void*, size_t)',
  oauthbearer_set_token_failure: 'int rd_kafka_oauthbearer_set_token_failure(void*, const char*)',
  AdminOptions_new: 'void* rd_kafka_AdminOptions_new(void*, int)',
  AdminOptions_destroy: 'void rd_kafka_AdminOptions_destroy(void*)',
  AdminOptions_set_request_timeout:
    'int rd_kafka_AdminOptions_set_request_timeout(void*, int, void*, size_t)',
  AdminOptions_set_opaque: 'void rd_kafka_AdminOptions_set_opaque(void*, void*)',
  NewTopic_new: 'void* rd_kafka_NewTopic_new(const char*, int, int, void*, size_t)',
  NewTopic_destroy: 'void rd_kafka_NewTopic_destroy(void*)',
  CreateTopics: 'void rd_kafka_CreateTopics(void*, void*, size_t, void*, void*)',
  CreateTopics_result_topics: 'void* rd_kafka_CreateTopics_result_topics(void*, void*)',
  topic_result_error: 'int rd_kafka_topic_result_error(void*)',
  topic_result_error_string: 'const char* rd_kafka_topic_result_error_string(void*)',
  ConfigResource_new: 'void* rd_kafka_ConfigResource_new(int, const char*)',
  ConfigResource_destroy: 'void rd_kafka_ConfigResource_destroy(void*)',
  DescribeConfigs: 'void rd_kafka_DescribeConfigs(void*, void*, size_t, void*, void*)',
  DescribeConfigs_result_resources: 'void* rd_kafka_DescribeConfigs_result_resources(void*, void*)',
  ConfigResource_error: 'int rd_kafka_ConfigResource_error(void*)',
  ConfigResource_configs: 'void* rd_kafka_ConfigResource_configs(void*, void*)',
  ConfigEntry_name: 'const char* rd_kafka_ConfigEntry_name(void*)',
  ConfigEntry_value: 'const char* rd_kafka_ConfigEntry_value(void*)',
};

/** The file that the dynamic linker looks for: the binary interface, whatever the version behind it. */
const SHARED_OBJECT = 'librdkafka.so.1';

/** dlfcn.h */
const RTLD_NOW = 2;
const RTLD_NODELETE = 0x1000;

let library: RdKafka | undefined;
let loading: Promise<string | undefined> | undefined;

/**
 * Loads the system's librdkafka into this thread; to be awaited before `rdKafka` is called.
 *
 * Its own threads outlive neither `rd_kafka_destroy` nor the process. A worker thread that ends without it leaves them
 * running, harmless, until the process ends; they still send what they were given.
 *
 * @returns why it cannot be had, a sentence; `undefined`: it is there
 */
export function loadRdKafka(sharedObject: string = SHARED_OBJECT): Promise<string | undefined> {
  loading ??= load(sharedObject);
  return loading;
}

/** The functions, after `loadRdKafka` has said that they are there. */
export function rdKafka(): RdKafka {
  assert(library !== undefined, 'loadRdKafka() comes before the first call');
  return library;
}

/**
 * koffi unloads what a worker thread has loaded when that thread ends. Threads of librdkafka that still run then would find
 * their code gone, and the process would crash.
 */
function keepLoaded(dlopen: (name: string, flags: number) => unknown, sharedObject: string): void {
  dlopen(sharedObject, RTLD_NOW | RTLD_NODELETE);
}

async function load(sharedObject: string): Promise<string | undefined> {
  const reason = unsupported(process.platform, process.arch, endianness());
  if (reason !== undefined) return reason;
  try {
    const { default: koffi } = await import('koffi');
    const system = koffi.load(null);
    const kafka = koffi.load(sharedObject);
    keepLoaded(system.func('void* dlopen(const char*, int)'), sharedObject);
    const functions = Object.entries(declarations).map(([name, text]) => [name, kafka.func(text)]);
    library = {
      ...(Object.fromEntries(functions) as Omit<RdKafka, Ours>),
      address: (memory) => koffi.address(memory),
      memcpy: system.func('void* memcpy(void*, void*, size_t)') as unknown as RdKafka['memcpy'],
      pipe2: system.func('int pipe2(void*, int)') as unknown as RdKafka['pipe2'],
      close: system.func('int close(int)') as unknown as RdKafka['close'],
      errno: () => koffi.errno(),
      text: (at) => String(koffi.decode(at, 'char', -1)),
    };
    return undefined;
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    return `${sharedObject} cannot be loaded: ${why.split('\n', 1)[0]?.replace(/\.$/, '')}.`;
  }
}
