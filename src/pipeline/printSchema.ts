import { pipelineSchema } from "./schema";

/** The text of schema/pipeline.schema.json: `node dist/src/pipeline/printSchema.js > schema/pipeline.schema.json`. */
export function schemaText(): string {
    return `${JSON.stringify(pipelineSchema, null, 2)}\n`;
}

if (require.main === module) {
    process.stdout.write(schemaText());
}
