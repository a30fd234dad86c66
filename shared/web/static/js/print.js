import "./desk-idle.js";
import { toPaper } from "./paper.js";

for (const button of document.querySelectorAll("[data-print]")) button.addEventListener("click", toPaper);
