"""The jobs in Chinese, for the desk's alarm; a test knows that every job has its name here.

The jobs themselves are both services', and the desk is of one.
"""

NAMES = {
    "casework.clock": "考核事项到期处理",
    "casework.erase": "清除反映人信息",
    "identity.purge": "清理登录记录",
    "ledger.awaiting": "补发待拨付积分",
    "ledger.closing": "台账月结",
    "ledger.codes": "清理旧兑换码",
    "ledger.expiry": "到期积分清零",
    "ledger.holds": "作废过期预订",
    "ledger.partitions": "台账分区准备",
    "ledger.seal": "每日封账",
    "ledger.verify": "台账核对",
    "pool.forget": "清除保护期和近亲属登记",
    "pool.purge": "清除未录用人员信息",
    "redemption.forget": "清除代取人和地址",
    "retention.people": "清除离任人员信息",
    "roster.forget_uploads": "清理上传的文件",
    "scheduling.forget": "清理定时任务记录",
    "settlement.statements": "生成对账单和公开表",
    "survey.count": "测评票归档",
    "survey.forget": "清理测评意见和票",
    "work.award": "年度优秀奖励入账",
    "work.deduct": "扣分入账",
    "work.photos": "清除工作照片",
    "work.post": "公示期满的月份入账",
    "work.refresh": "岗位变动后换人核实",
}
AWAY_SENTENCE = "数据库中途断开，到下次时间会自动再做。"
BUSY_SENTENCE = "数据库正忙（也许正在备份），到下次时间会自动再做。"
DEFECT = "程序出错（{}），到下次时间会自动再做；请维护人员查看服务日志里的 job failed。"
