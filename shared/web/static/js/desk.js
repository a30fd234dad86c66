import "./page.js";
import "./desk-idle.js";
import "./small.js";
