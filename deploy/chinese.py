"""Click's own words in Chinese, for the office's IT person; it asks gettext, which has none for it.

Only what a command of ours can come to say: defects in our use of click stay in English.
"""

from click import core, decorators, exceptions, formatting, parser, termui, types

MODULES = (core, decorators, exceptions, formatting, parser, termui, types)
WORDS = {
    "Usage:": "用法：",
    "Options": "选项",
    "Commands": "命令",
    "Show this message and exit.": "显示这份说明。",
    "Show the version and exit.": "显示版本。",
    "%(prog)s, version %(version)s": "%(prog)s %(version)s",
    "required": "必填",
    "default: {default}": "默认 {default}",
    "Error: {message}": "错误：{message}",
    "Try '{command} {option}' for help.": "运行 {command} {option} 可看说明。",
    "Missing command.": "请写明要运行的命令。",
    "No such command {name!r}.": "没有 {name} 这个命令。",
    "No such option {name!r}.": "没有 {name} 这个选项。",
    "Did you mean {possibility}?": "是不是要写 {possibility}？",
    "(Did you mean one of: {possibilities}?)": "是不是要写其中一个：{possibilities}？",
    "Missing argument": "缺少参数",
    "Missing option": "缺少选项",
    "Choose from:\n\t{choices}": "可以写：\n\t{choices}",
    "Got unexpected extra argument ({args})": "多写了 {args}，请去掉。",
    "Got unexpected extra arguments ({args})": "多写了 {args}，请去掉。",
    "Option {name!r} requires an argument.": "选项 {name} 后面要写内容。",
    "Option {name!r} does not take a value.": "选项 {name} 后面不写内容。",
    "Invalid value: {message}": "写法不对：{message}",
    "Invalid value for {param_hint}: {message}": "{param_hint} 写法不对：{message}",
    "{value!r} is not {choice}.": "“{value}”不能用，只能写 {choice}。",
    "{value!r} is not one of {choices}.": "“{value}”不能用，只能写 {choices} 之一。",
    "{value!r} is not a valid {number_type}.": "“{value}”不是整数。",
    "{value} is not in the range {range}.": "{value} 不在 {range} 之内。",
    "file": "文件",
    "directory": "文件夹",
    "path": "路径",
    "{name} {filename!r} does not exist.": "{name} {filename} 不存在。",
    "{name} {filename!r} is a file.": "{name} {filename} 是一个文件。",
    "{name} {filename!r} is a directory.": "{name} {filename} 是一个文件夹。",
    "{name} {filename!r} is not readable.": "{name} {filename} 读不了。",
    "{name} {filename!r} is not writable.": "{name} {filename} 写不了。",
    "Repeat for confirmation": "再输一次",
    "Error: The two entered values do not match.": "错误：两次输入的不一样，请重新输入。",
    "Error: invalid input": "错误：输入的不对，请重新输入。",
}


def speak() -> None:
    """From now on."""
    for module in MODULES:
        vars(module).update(_=_said, ngettext=_counted)


def _said(text: str) -> str:
    return WORDS.get(text, text)


def _counted(one: str, many: str, count: int) -> str:
    return _said(one if count == 1 else many)
