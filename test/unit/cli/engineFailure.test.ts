import { EngineFailure } from "../../../src/cli/engineProcess";
import { EXIT } from "../../../src/cli/exit";
import { engineError } from "../../../src/cli/update";

it("says of an engine that was killed that the run goes on, and not what it printed last", () => {
    const error = engineError(new EngineFailure("@ updating....", "", "SIGKILL"), "dev");
    expect(error).toMatchObject({ exitCode: EXIT.notReady });
    expect(error.message).toBe(
        "the Pulumi engine was ended by SIGKILL; a run that had been started goes on: stackrun status",
    );
});
