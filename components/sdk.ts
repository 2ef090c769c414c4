/**
 * What the components use of Pulumi's SDK, by the modules that have it. The SDK's index loads the Automation API, npm's
 * resolver and the TypeScript compiler too: that takes longer than everything else that a program with an orchestrator
 * does. What is loaded here, Pulumi's own run shim has loaded before the program starts.
 */
export * from "@pulumi/pulumi/errors";
export * from "@pulumi/pulumi/output";
export * from "@pulumi/pulumi/resource";
export * as log from "@pulumi/pulumi/log";
export * as runtime from "@pulumi/pulumi/runtime/settings";
