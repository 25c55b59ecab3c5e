import { Command, InvalidArgumentError, Option } from 'commander';
import { createLog, logFormats, logLevels, type LogFormat, type LogLevel } from '../../observe/logger.ts';
import { MirrorError } from '../../observe/error.ts';
import type { CommandIo } from '../io.ts';

/** Commands that a later version has: known, and refused in words. */
const LATER_COMMANDS: Readonly<Record<string, string>> = {
  flows: 'questions to the stored flow records',
  control: 'the EC2-compatible control API for senders',
};

interface LogSettings {
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

/** Options that every command has. */
export function addLogOptions(command: Command): void {
  command
    .addOption(
      new Option('--log-level <level>', 'what is logged to standard error')
        .choices(logLevels)
        .default('info'),
    )
    .addOption(
      new Option(
        '--log-format <format>',
        'how it is logged (default: pretty on a terminal, else json)',
      ).choices(logFormats),
    );
}

/** What a command gets of the world; `command` is the one that was called. */
export function commandIo(command: Command): CommandIo {
  const { logLevel, logFormat } = command.optsWithGlobals<LogSettings>();
  const format = logFormat ?? (process.stderr.isTTY ? 'pretty' : 'json');
  return {
    print: (text) => process.stdout.write(text),
    log: createLog({ level: logLevel, format }),
    logSettings: { level: logLevel, format },
  };
}

/** A new command with its example; `mirrortap --log-level` and the like may stand behind it too. */
export function makeCommand(name: string, description: string, example: string): Command {
  const command = new Command(name)
    .description(description)
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError('(add --help for what there is)')
    .addHelpText('after', `\nExample:\n  ${example}`);
  addLogOptions(command);
  return command;
}

export function refuseLaterCommands(program: Command): void {
  for (const [name, purpose] of Object.entries(LATER_COMMANDS)) {
    program
      .command(name, { hidden: true })
      .description(`Not in this version: ${purpose}.`)
      .helpOption(false)
      .allowUnknownOption()
      .allowExcessArguments()
      .action(() => {
        throw new MirrorError(
          'NOT_IN_THIS_VERSION',
          `The command ${name} (${purpose}) is not in this version.`,
          {
            command: name,
          },
        );
      });
  }
}

export function reportOption(): Option {
  return new Option('--report <format>', 'how the report is printed')
    .choices(['text', 'json'])
    .default('text');
}

/** `--set path=value`, as often as wanted. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

/** A whole number of at least `minimum`. */
export function wholeNumber(minimum: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= minimum && value <= Number.MAX_SAFE_INTEGER) return value;
    throw new InvalidArgumentError(`Expected a whole number of at least ${minimum}.`);
  };
}
