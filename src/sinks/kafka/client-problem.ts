/** Something that the chosen client, or Kafka, cannot do as it is set. */
export interface ClientProblem {
  /** Path inside the sink. */
  readonly setting: string;
  readonly found: string;
  /** A sentence that begins with the setting. */
  readonly text: string;
  readonly expected: string;
}
