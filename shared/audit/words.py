"""The audit trail's words in Chinese: what was done, to what, under which authority.

A word that is not here is shown as it is stored, so that nothing is ever hidden by a missing entry.
"""

from shared.roster.roles import ROLE_NAMES, Role

SUBJECTS = {
    "identity": "账号",
    "roster": "名册",
    "settings": "系统设置",
    "calendar": "工作日历",
    "rules": "积分规则",
    "work": "工作记录",
    "deduct": "扣分",
    "objection": "异议",
    "appeal": "申诉",
    "month": "月度公示",
    "ledger": "台账",
    "card": "兑换卡",
    "hold": "预订",
    "order": "预订",
    "redeem": "兑换",
    "shop": "店铺",
    "agreement": "店铺协议",
    "product": "商品",
    "price": "价格",
    "stock": "库存",
    "fund": "集体资金",
    "statement": "对账单",
    "publication": "公示表",
    "cycle": "考核",
    "scheme": "评分规则",
    "score": "评分",
    "notice": "公示",
    "serving": "结果送达",
    "case": "考核事项",
    "kinship": "近亲属登记",
    "shield": "保护期",
    "survey": "群众测评",
    "import": "导入",
    "export": "导出",
}
"""The part of an action before the dot."""

ACTIONS = {
    "identity.slip": "打印激活条",
    "identity.activate": "激活账号",
    "identity.sign_in": "登录",
    "identity.sign_in_refused": "登录失败",
    "identity.sign_out": "退出登录",
    "identity.revoke": "让设备退出",
    "identity.disable": "停用或启用账号",
    "identity.desk_account": "开通电脑端账号",
    "identity.shop_staff": "变更店员",
    "identity.terminal_key": "变更终端密钥",
    "identity.card_pin": "设兑换卡密码",
    "identity.change_pin": "修改登录密码",
    "identity.change_password": "修改电脑端密码",
    "roster.edit": "修改名册",
    "roster.import": "导入名册",
    "roster.phone": "查看完整手机号",
    "settings.edit": "修改系统设置",
    "calendar.edit": "修改工作日历",
    "calendar.replace": "更换工作日历",
    "rules.edit": "修改积分规则",
    "work.log": "记工作",
    "work.proxy": "代录工作",
    "work.verify": "核实",
    "work.return": "退回",
    "work.refuse": "不予认定",
    "work.withdraw": "撤回",
    "work.review": "月度审核",
    "work.sample": "随机抽查",
    "work.import": "导入工作记录",
    "deduct.propose": "提出扣分",
    "deduct.decide": "决定扣分",
    "deduct.answer": "答复扣分",
    "objection.raise": "提出异议",
    "objection.answer": "答复异议",
    "objection.review": "复核异议",
    "appeal.raise": "提出申诉",
    "appeal.decide": "处理申诉",
    "month.post": "月度入账",
    "card.issue": "发兑换卡",
    "card.revoke": "作废兑换卡",
    "redeem": "兑换",
    "redeem.undo": "撤销兑换",
    "redeem.undo_late": "事后撤销兑换",
    "hold.void": "取消预订",
    "shop.add": "新增店铺",
    "shop.edit": "修改店铺",
    "agreement.add": "签订店铺协议",
    "product.add": "新增商品",
    "product.edit": "修改商品",
    "product.approve": "审批商品价格",
    "price.propose": "提出价格",
    "price.import": "导入价格",
    "stock.edit": "变更库存",
    "fund.edit": "变更集体资金",
    "fund.resolve": "登记资金决议",
    "statement.build": "生成对账单",
    "statement.extend": "补入对账单",
    "statement.dispute": "对账单提出异议",
    "statement.sign_shop": "店铺签对账单",
    "statement.sign_accountant": "会计签对账单",
    "statement.sign_supervisor": "监委会签对账单",
    "publication.edit": "发布公示表",
    "cycle.edit": "办理考核",
    "scheme.edit": "修改评分规则",
    "score.run": "运行评分",
    "score.calibrate": "校准得分",
    "score.sign": "签收考核结果",
    "notice.issue": "发布公示",
    "result.serve": "送达考核结果",
    "case.sign": "签办考核事项",
    "case.overdue": "逾期督办",
    "kin.edit": "登记近亲属",
    "kin.end": "更正近亲属登记",
    "shield.edit": "登记保护期",
    "shield.end": "更正保护期登记",
    "survey.form": "修改测评表",
    "survey.freeze": "冻结住户名单",
    "survey.draw": "公开抽样",
    "survey.assign": "指定访问员",
    "survey.dismiss": "撤换访问员",
    "survey.print": "打印测评票",
    "survey.note": "登记访问",
    "survey.top_up": "补抽住户",
    "survey.close": "结束测评",
    "export": "导出文件",
    "import.funds": "导入资金决议",
    "import.households": "导入住户名单",
}

AUTHORITIES = {
    "system": "系统",
    "self": "本人",
    "shop": "店铺",
    "slip": "激活条",
    "console": "控制台",
    "none": "未登录",
}


def action_name(action: str) -> str:
    """``work.verify`` → 核实; an unknown one keeps its own word behind its subject."""
    if action in ACTIONS:
        return ACTIONS[action]
    subject, _, verb = action.partition(".")
    return f"{SUBJECTS.get(subject, subject)} {verb}".strip()


def authority_name(authority: str, unit_name: str | None = None) -> str:
    """``chief@421222100001`` → 总网格长（白沙村）."""
    role, at, code = authority.partition("@")
    if not at:
        return AUTHORITIES.get(authority, authority)
    name = ROLE_NAMES[Role(role)] if role in set(Role) else role
    return f"{name}（{unit_name or code}）"
