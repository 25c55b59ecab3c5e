import { type TSchema, Type } from 'typebox';
import { annotations, describe, either, leaves, members } from './schema.ts';
import { afterSinks, beforeSinks } from './settings.ts';
import { packetSink } from '../pipeline/settings.ts';
import { kindSetting, sinkSchemas } from './sink-settings.ts';

/** One line of the reference. */
export interface ReferenceRow {
  readonly path: string;
  readonly type: string;
  readonly default: string;
  readonly unit: string;
  readonly reload: string;
  readonly meaning: string;
}

interface Section {
  readonly title: string;
  readonly note: string;
  readonly rows: readonly ReferenceRow[];
}

const head: ReferenceRow = {
  path: 'Setting',
  type: 'Type',
  default: 'Default',
  unit: 'Unit',
  reload: 'Reload',
  meaning: 'Meaning',
};

const intro = `# Settings

All settings of \`receive\`, as \`mirrortap config reference\` prints them. \`decap\` reads the same file and uses
\`admission\`, \`analysis\`, the ports under \`listen\` and the output settings of its sink.

Later ones win, key by key; a list is replaced as a whole:

1. the defaults below,
2. what \`behind\` presets,
3. the YAML 1.2 file given with \`-c\`,
4. the environment: \`MIRRORTAP_LISTEN__VXLANPORTS='[4789, 8472]'\` sets \`listen.vxlanPorts\`: case is ignored, two
   underscores stand for a dot,
5. \`--set listen.mode=dgram\`.

In the environment and after \`--set\`, the value of a text setting is taken as it is; any other is read as YAML. \`on\` and
\`off\` may be written as \`true\` and \`false\`. "Reload: yes" marks what SIGHUP changes in a running appliance; the rest
needs a restart. A setting marked "later" is not in this version: only what turns it off is accepted.
`;

/** Every setting with type, default, unit, reload and meaning, as Markdown whose tables also line up as text. */
export function referenceText(): string {
  return `${intro}\n${sections().map(sectionText).join('\n')}`;
}

/** Every setting, sinks under the name NAME. */
export function referenceRows(): ReferenceRow[] {
  return sections().flatMap(({ rows }) => rows);
}

function sections(): Section[] {
  return [...groupSections(beforeSinks), ...sinkSections(), ...groupSections(afterSinks)];
}

/** A section for each group at the root, and one for each setting that stands there alone. */
function groupSections(root: typeof beforeSinks | typeof afterSinks): Section[] {
  return members(root).map(([name, schema]) => ({
    title: name,
    note: '',
    rows: leaves(schema, [name]).map(({ path, schema: leaf }) => row(path, leaf)),
  }));
}

function sinkSections(): Section[] {
  const common = [
    { path: ['sinks', 'NAME', 'kind'], schema: kindSetting },
    ...leaves(packetSink, ['sinks', 'NAME']),
  ];
  const ofAll: Section = {
    title: 'sinks',
    note:
      'Each sink stands under a name of your choice; several of one kind are fine. A name without settings takes a ' +
      'sink out. While nobody names a sink there is one, `captures`, of kind files. `select` and `output` are of sinks ' +
      'that take packets, whatever their kind; one of flow records has `enabled` alone.',
    rows: common.map(({ path, schema }) => row(path, schema)),
  };
  const ofKinds = [...sinkSchemas].map(
    ([kind, schema]): Section => ({
      title: `sinks of kind ${kind}`,
      note: '',
      rows: leaves(schema, ['sinks', 'NAME'])
        .filter(({ path }) => !common.some((other) => other.path.join('.') === path.join('.')))
        .map(({ path, schema: leaf }) => row(path, leaf)),
    }),
  );
  return [ofAll, ...ofKinds];
}

function row(path: readonly string[], schema: TSchema): ReferenceRow {
  const { default: fallback, unit, reload, later, description } = annotations(schema);
  return {
    path: code(path.join('.')),
    type: later === true ? `later; only ${describe(schema)}` : describe(schema),
    default: fallback === undefined ? 'must be given' : code(JSON.stringify(fallback)),
    unit: unit ?? '',
    reload: reload === true ? 'yes' : 'no',
    meaning: [description ?? '', itemsText(schema), examplesText(schema)].filter(Boolean).join(' '),
  };
}

/** The settings of each item, where a list holds groups. */
function itemsText(schema: TSchema): string {
  if (!Type.IsArray(schema) || !Type.IsObject(schema.items)) return '';
  return members(schema.items)
    .map(([name, member]) => `${code(name)}: ${annotations(member).description ?? ''}`)
    .join(' ');
}

function examplesText(schema: TSchema): string {
  const { examples = [] } = annotations(schema);
  return examples.length === 0
    ? ''
    : `Example: ${either(examples.map((value) => code(JSON.stringify(value))))}.`;
}

function code(text: string): string {
  return `\`${text}\``;
}

function sectionText({ title, note, rows }: Section): string {
  return `## ${title}\n${note === '' ? '' : `\n${note}\n`}\n${table([head, ...rows])}\n`;
}

function table(rows: readonly ReferenceRow[]): string {
  const cells = rows.map((each) => Object.values(each).map((cell: string) => cell.replaceAll('|', '\\|')));
  const widths = (cells[0] ?? []).map((_, column) =>
    Math.max(...cells.map((line) => line[column]?.length ?? 0)),
  );
  // the last column holds sentences: it is left ragged
  const lines = cells.map((line) => line.map((cell, column) => pad(cell, column, widths)));
  const rule = widths.map((width, column) => '-'.repeat(column === widths.length - 1 ? 7 : width));
  return [lines[0] ?? [], rule, ...lines.slice(1)].map((line) => `| ${line.join(' | ')} |`).join('\n');
}

function pad(cell: string, column: number, widths: readonly number[]): string {
  return column === widths.length - 1 ? cell : cell.padEnd(widths[column] ?? 0);
}
