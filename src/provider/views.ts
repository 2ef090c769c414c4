import type { View } from "@pulumi/pulumi/proto/provider_pb";
import { ResourceStatusClient } from "@pulumi/pulumi/proto/resource_status_grpc_pb";
import { PublishViewStepsRequest, ViewStep, ViewStepState } from "@pulumi/pulumi/proto/resource_status_pb";
import { grpc, Struct } from "./sdkModules";
import { STEP_TYPE } from "./tokens";
import { encode } from "./values";

export interface StepView {
    readonly name: string;
    readonly inputs: object;
    readonly outputs: object;
}

/** Shows the steps of a run as rows of their own under it. The engine keeps them in the state with their run. */
export interface Views {
    /** Replaces the views that the resource had by these. */
    replace(steps: readonly StepView[]): Promise<void>;
}

export const noViews: Views = { replace: () => Promise.resolve() };

export function viewsOf(address: string, token: string, old: readonly View[]): Views {
    if (!address) {
        return noViews;
    }
    return {
        async replace(steps) {
            const kept = new Set(steps.map((step) => step.name));
            const known = new Map(old.map((view) => [view.getName(), view]));
            const gone = old.filter((view) => !kept.has(view.getName())).map(deleteStep);
            const made = steps.map((step) => upsertStep(step, known.get(step.name)));
            if (gone.length + made.length > 0) {
                await publish(address, token, [...gone, ...made]);
            }
        },
    };
}

function upsertStep(view: StepView, old: View | undefined): ViewStep {
    const step = newStep(old ? ViewStep.Op.UPDATE : ViewStep.Op.CREATE, STEP_TYPE, view.name);
    step.setNew(viewState(STEP_TYPE, view.name, encode(view.inputs), encode(view.outputs)));
    if (old) {
        step.setOld(oldState(old));
    }
    return step;
}

// The engine refuses the snapshot of a deleted resource whose views were not deleted by its provider.
function deleteStep(old: View): ViewStep {
    const step = newStep(ViewStep.Op.DELETE, old.getType(), old.getName());
    step.setOld(oldState(old));
    return step;
}

function newStep(op: ViewStep.Op, type: string, name: string): ViewStep {
    const step = new ViewStep();
    step.setStatus(ViewStep.Status.OK);
    step.setOp(op);
    step.setType(type);
    step.setName(name);
    return step;
}

function oldState(old: View): ViewStepState {
    return viewState(old.getType(), old.getName(), old.getInputs(), old.getOutputs());
}

function viewState(type: string, name: string, inputs?: Struct, outputs?: Struct): ViewStepState {
    const state = new ViewStepState();
    state.setType(type);
    state.setName(name);
    state.setInputs(inputs);
    state.setOutputs(outputs);
    return state;
}

async function publish(address: string, token: string, steps: ViewStep[]): Promise<void> {
    const client = new ResourceStatusClient(address, grpc.credentials.createInsecure());
    const request = new PublishViewStepsRequest();
    request.setToken(token);
    request.setStepsList(steps);
    try {
        await new Promise<void>((resolve, reject) =>
            client.publishViewSteps(request, (error) => (error ? reject(error) : resolve())),
        );
    } finally {
        client.close();
    }
}
