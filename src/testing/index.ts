export { Recorder, type Declared, type Outputs, type RecorderOptions } from "./recorder";
export { startPlugin, type Plugin } from "./inProcess";
