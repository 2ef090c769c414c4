import type { Command } from "commander";
import { declare } from "./declare";
import type { DestroyOptions } from "./destroy";
import type { RunsOptions } from "./runs";
import type { Terminal } from "./terminal";

/** Declares what looks at, and ends, runs that there are: `status`, `logs`, `runs`, `cancel`, `destroy`. */
export function declareRecords(program: Command, terminal: Terminal, pipeline: string): void {
    addStatus(program, terminal);
    addLogs(program, terminal);
    addRuns(program, terminal);
    addCancel(program, terminal);
    addDestroy(program, terminal, pipeline);
}

function addStatus(program: Command, terminal: Terminal): void {
    declare(program, {
        name: "status",
        description: "show how a run stands: the given one, else the newest",
        help: `Examples:
  stackrun status                                   the newest run
  stackrun status weather-20261122-143012-k3x9 --json
The exit code is the run's: 0 while it runs and when it succeeded, 1 when it failed, 130 when it was cancelled.`,
    })
        .argument("[run]", "id of the run")
        .option("--json", "for a program to read")
        .action(async (id: string | undefined, options: { json?: boolean }) => {
            const { status } = await import("./records.js");
            process.exitCode = await status(id, options.json === true, terminal);
        });
}

function addLogs(program: Command, terminal: Terminal): void {
    declare(program, {
        name: "logs",
        description: "print the log of a run: the given one, else the newest",
        help: `Examples:
  stackrun logs                                     of the newest run
  stackrun logs --follow --step train
  stackrun logs weather-20261122-143012-k3x9 | less`,
    })
        .argument("[run]", "id of the run")
        .option("-f, --follow", "go on until the run has ended")
        .option("--step <name>", "of this step only")
        .action(async (id: string | undefined, options: { follow?: boolean; step?: string }) => {
            const { logs } = await import("./records.js");
            process.exitCode = await logs(id, options, terminal);
        });
}

function addRuns(program: Command, terminal: Terminal): void {
    declare(program, {
        name: "runs",
        description: "list the runs that are recorded in this folder, newest first",
        help: `Examples:
  stackrun runs --limit 10
  stackrun runs --pipeline weather --status Failed
  stackrun runs --json`,
    })
        .option("--pipeline <name>", "of this pipeline only")
        .option("--status <state>", "in this state only, for example Failed")
        .option("--limit <number>", "so many at most")
        .option("--json", "for a program to read")
        .action(async (options: RunsOptions) => {
            const { listRuns } = await import("./runs.js");
            process.exitCode = await listRuns(options, terminal);
        });
}

function addCancel(program: Command, terminal: Terminal): void {
    declare(program, {
        name: "cancel",
        description:
            "cancel a run of this machine, and wait for its end: the given one, else the one that runs",
        help: `Examples:
  stackrun cancel
  stackrun cancel weather-20261122-143012-k3x9
The same \`stackrun run\` goes on from the last finished step. Exit code 0, too, if the run had ended already.`,
    })
        .argument("[run]", "id of the run")
        .action(async (id: string | undefined) => {
            const { cancel } = await import("./cancel.js");
            process.exitCode = await cancel(id, terminal);
        });
}

function addDestroy(program: Command, terminal: Terminal, pipeline: string): void {
    declare(program, {
        name: "destroy",
        description: "cancel what runs in the stack that `run` made for a pipeline, and remove the stack",
        help: `Examples:
  stackrun destroy                                  what \`stackrun run\` made of pipeline.yaml
  stackrun destroy train.yaml --stack prod --yes
  stackrun destroy weather --yes --records          by its name; nothing of it is left`,
    })
        .argument("[pipeline]", "file of the pipeline, or its name", pipeline)
        .option("-s, --stack <name>", "the stack", "dev")
        .option("-y, --yes", "do not ask; needed where there is no terminal")
        .option("--records", "remove the records of the pipeline's runs, too: logs and outputs")
        .action(async (file: string, options: DestroyOptions) => {
            const { destroy } = await import("./destroy.js");
            process.exitCode = await destroy(file, options, terminal);
        });
}
