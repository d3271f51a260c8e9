// A button that copies a call of the API as a command.
import { curl } from "../curl.js";
import { Copy } from "./basics.jsx";

/** `call` is [method, path, body]; `what` names it for those who cannot see where the button stands. */
export const Curl = ({ call, what, look = "slim" }) => (
  <Copy text={() => curl(...call)} look={look}>
    curl <span class="visually-hidden">{what}</span>
  </Copy>
);
