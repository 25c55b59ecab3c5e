import type { AdminRequests } from './kafka-admin.ts';
import { rdKafkaMessage as message, rdKafkaNumber as number } from './rdkafka-layout.ts';
import { type RdKafka, rdKafka } from './rdkafka.ts';

/** What a producer tells, from the event loop of the thread that opened it, never in the middle of a call. */
export interface ProducerEvents {
  /** A record was delivered (`error` 0) or given up. */
  reported(opaque: number, error: number): void;
  /** All reports of one round are told. */
  settled(): void;
  /** Something is wrong with a broker, or with all. */
  failed(error: number, text: string): void;
  /** A line of librdkafka's log; `level` as syslog has it. */
  logged(level: number, text: string): void;
  /** OAUTHBEARER: a token is wanted, by `setToken` or `refuseToken`. */
  tokenWanted(): void;
}

/** Reports of one event that are read at a time. */
const REPORTS_AT_ONCE = 1024;

/** Where a report has what its record was given, and why it was given up. */
const { _private: opaqueAt, err: errorAt } = message.at;

/** Says what an event of a producer's queue is about. */
export class EventReader {
  readonly #library: RdKafka = rdKafka();
  readonly #events: ProducerEvents;
  readonly #admin: AdminRequests;
  readonly #pointers = Buffer.alloc(REPORTS_AT_ONCE * 8);
  readonly #report = Buffer.alloc(message.bytes);

  constructor(events: ProducerEvents, admin: AdminRequests) {
    this.#events = events;
    this.#admin = admin;
  }

  /** The event is the caller's, to be destroyed after this. */
  tell(event: bigint): void {
    const kafka = this.#library;
    switch (kafka.event_type(event)) {
      case number.RD_KAFKA_EVENT_DR:
        return this.#tellReports(event);
      case number.RD_KAFKA_EVENT_ERROR:
        return this.#events.failed(kafka.event_error(event), kafka.event_error_string(event) ?? '');
      case number.RD_KAFKA_EVENT_LOG:
        return this.#tellLog(event);
      case number.RD_KAFKA_EVENT_OAUTHBEARER_TOKEN_REFRESH:
        return this.#events.tokenWanted();
      default:
        return this.#admin.answered(event);
    }
  }

  #tellReports(event: bigint): void {
    const kafka = this.#library;
    for (;;) {
      const count = kafka.event_message_array(event, this.#pointers, REPORTS_AT_ONCE);
      for (let i = 0; i < count; i++) {
        kafka.memcpy(this.#report, this.#pointers.readBigUInt64LE(i * 8), message.bytes);
        const opaque =
          this.#report.readUInt32LE(opaqueAt) + this.#report.readUInt32LE(opaqueAt + 4) * 0x1_0000_0000;
        this.#events.reported(opaque, this.#report.readInt32LE(errorAt));
      }
      if (count < REPORTS_AT_ONCE) return;
    }
  }

  #tellLog(event: bigint): void {
    const kafka = this.#library;
    const [facility, text, level] = [Buffer.alloc(8), Buffer.alloc(8), Buffer.alloc(4)];
    if (kafka.event_log(event, facility, text, level) !== 0) return;
    this.#events.logged(level.readInt32LE(), kafka.text(text.readBigUInt64LE()));
  }
}
